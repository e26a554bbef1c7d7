import { builtInCategories, didYouMean } from '../../../policies/index.ts';
import { type CredentialDocument, manifestProblem, operationsOf, reservedEnv, type UpstreamDocument } from '../../../tools/index.ts';
import { commandFor } from '../configuration.ts';
import type { PlatformDocument, TenantDocument } from '../kinds.ts';
import type { NextTenant } from '../merge.ts';
import { type DocumentProblem, type Located, problemAt } from '../problems.ts';
import { reservedHeader } from '../upstream-target.ts';

export function checkUpstreams(tenant: NextTenant, document: TenantDocument, platform: PlatformDocument | null): DocumentProblem[] {
  return tenant.documents.flatMap((one) => {
    if (one.body.kind === 'Credential') return checkCredential(one, one.body);
    if (one.body.kind !== 'Upstream') return [];
    return [
      ...checkTransport(one, one.body, tenant.tenant, platform),
      ...checkUse(one, one.body, tenant.byKind.credentials),
      ...checkTools(one, one.body, [...builtInCategories, ...document.domains]),
    ];
  });
}

function checkTransport(one: Located, upstream: UpstreamDocument, tenant: string, platform: PlatformDocument | null): DocumentProblem[] {
  const { transport } = upstream;
  if (transport.type === 'openapi')
    return [problemAt(one, ['transport', 'type'], 'HTTP APIs by OpenAPI are not brokered yet', 'Use an MCP server over stdio or http')];
  if (transport.type === 'http') {
    const url = new URL(transport.url);
    if (url.username !== '' || url.password !== '') return [problemAt(one, ['transport', 'url'], 'A URL with a login in it', 'Use a Credential document')];
    return [];
  }
  const problems = Object.keys(transport.env)
    .filter((name) => reservedEnv.test(name))
    .map((name) =>
      problemAt(one, ['transport', 'env', name], 'A variable that steers the runtime, not the program', 'Leave it out; the operator decides how commands run'),
    );
  if (commandFor(platform, tenant, upstream) === null) {
    const usable = Object.entries(platform?.commands ?? {}).flatMap(([name, command]) =>
      !command.background && (command.tenants?.includes(tenant) ?? true) ? [name] : [],
    );
    const remedy = `Use one of ${usable.join(', ') || 'the commands the operator allows'}, or have the operator add it to the Platform document.${didYouMean(transport.command, usable)}`;
    problems.push(problemAt(one, ['transport', 'command'], `There is no command ${transport.command} for this tenant`, remedy));
  }
  return problems;
}

function checkUse(one: Located, upstream: UpstreamDocument, credentials: ReadonlyMap<string, CredentialDocument>): DocumentProblem[] {
  if (upstream.credential === undefined) return [];
  const credential = credentials.get(upstream.credential);
  if (!credential) {
    const known = [...credentials.keys()];
    return [
      problemAt(
        one,
        ['credential'],
        `There is no credential ${upstream.credential}`,
        `Add a Credential document of that name.${didYouMean(upstream.credential, known)}`,
      ),
    ];
  }
  const wanted = upstream.transport.type === 'stdio' ? 'env' : 'header';
  if (!(wanted in credential.inject))
    return [
      problemAt(
        one,
        ['credential'],
        `The credential is not injected as ${wanted}`,
        `An upstream over ${upstream.transport.type} takes \`inject: { ${wanted}: … }\``,
      ),
    ];
  if ('env' in credential.inject && upstream.transport.type === 'stdio' && Object.hasOwn(upstream.transport.env, credential.inject.env)) {
    return [problemAt(one, ['transport', 'env', credential.inject.env], 'The credential is injected under this name', 'Rename one of them')];
  }
  return [];
}

function checkCredential(one: Located, { inject }: CredentialDocument): DocumentProblem[] {
  if ('env' in inject)
    return reservedEnv.test(inject.env) ? [problemAt(one, ['inject', 'env'], 'A variable that steers the runtime, not the program', 'Use another name')] : [];
  if ('channel' in inject) return [];
  return reservedHeader.test(inject.header)
    ? [problemAt(one, ['inject', 'header'], 'A header that belongs to the connection', 'Use another header, such as Authorization')]
    : [];
}

function checkTools(one: Located, upstream: UpstreamDocument, categories: readonly string[]): DocumentProblem[] {
  const problems: DocumentProblem[] = [];
  const own = new Set<string>();
  for (const operation of operationsOf(upstream)) {
    const [list, index] = operation.place;
    const at = [list, index] as const;
    if (own.has(operation.key)) problems.push(problemAt(one, operation.place, `This ${operation.kind} stands twice`, 'Keep one of them'));
    own.add(operation.key);
    const unfit = manifestProblem(upstream.name, operation);
    if (unfit) problems.push(problemAt(one, operation.place, `${operation.name}: ${unfit.cause}`, unfit.remedy));
    const check = (named: readonly string[], path: readonly PropertyKey[]): void => {
      named.forEach((category, place) => {
        if (!categories.includes(category)) {
          problems.push(
            problemAt(
              one,
              [...path, place],
              `There is no category ${category}`,
              `Use one of ${categories.join(', ')}, or add it to \`domains\` of the Tenant document.${didYouMean(category, categories)}`,
            ),
          );
        }
      });
    };
    check(operation.returns.categories, [...at, 'returns', 'categories']);
    for (const [field, label] of Object.entries(operation.returns.fields)) check(label.categories ?? [], [...at, 'returns', 'fields', field, 'categories']);
  }
  return problems;
}
