import { z } from 'zod';
import type { Access, Endpoint } from './endpoint.ts';
import { problemShape } from './problem.ts';

type Json = Record<string, unknown>;

/** OpenAPI 3.1 of these endpoints, made from the very schemas requests are checked with. */
export function openApi(endpoints: readonly Endpoint[], publicUrl: string): Json {
  const paths: Record<string, Json> = {};
  for (const one of endpoints) {
    const at = paths[one.path] ?? {};
    at[one.method] = operation(one);
    paths[one.path] = at;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Taskgate',
      version: 'v1',
      description: `What people do: decide, see, configure. The tenant is the token's. What is not yours answers like what is not there. ${idempotency}`,
    },
    servers: [{ url: `${publicUrl}/v1` }],
    security: [{ person: [] }],
    paths,
    components: {
      securitySchemes: { person: { type: 'http', scheme: 'bearer', description: 'A person token of this resource, from the token endpoint of the tenant' } },
      schemas: { Problem: schema(problemShape, 'output') },
    },
  };
}

const idempotency =
  'Every POST but one may be sent again with the same body: it changes nothing more and answers the present state, with an `Idempotency-Key` or without. ' +
  'Making a connection token honours the key by refusing the second request, because a token is never shown twice.';

function operation(one: Endpoint): Json {
  const body = one.body === null ? {} : { requestBody: { required: true, content: { 'application/json': { schema: schema(one.body, 'input') } } } };
  return {
    summary: one.summary,
    operationId: `${one.method}${one.path.replace(/[{}]/g, '').replace(/[/-](\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    description: describeAccess(one.access),
    parameters: [...pathParameters(one.path), ...queryParameters(one.query), ...(one.method === 'post' ? [idempotencyKey] : [])],
    ...body,
    responses: {
      [one.status]: { description: 'Done', content: { 'application/json': { schema: schema(one.answer, 'output') } } },
      default: { description: 'RFC 9457', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    },
  };
}

const idempotencyKey = { name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 200 } };

function describeAccess(access: Access): string {
  if (access === 'anyone') return 'For every person of the tenant: each sees and does only what is theirs.';
  return access === 'named' ? 'For every person the tenant document names.' : `For people with the role ${access.join(' or ')}.`;
}

const pathParameters = (path: string): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string', maxLength: 200 } }));

function queryParameters(query: z.ZodType): Json[] {
  const { properties = {} } = schema(query, 'output') as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: 'query',
    required: false,
    schema: rest,
    ...(description === undefined ? {} : { description }),
  }));
}

function schema(shape: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(shape, { io, unrepresentable: 'any' });
  return rest;
}
