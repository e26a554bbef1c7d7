import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { vi } from 'vitest';
import type { ApprovalRow } from '../../server/store/index.ts';
import { modernClient, startTestBroker, type TestBroker, type TestOptions } from '../support/broker.ts';
import { linkFor } from './visit.ts';

/** A broker with something to decide about: payments, and notices of any length that one of finance must have read. */
export function startStage(options: TestOptions = {}): Promise<TestBroker> {
  const fixture = join(import.meta.dirname, 'fixtures/notices.ts');
  return startTestBroker({
    ...options,
    holdMs: 45_000,
    commands: { notices: { run: ['node', fixture], allow_read: [join(import.meta.dirname, '../../node_modules')] } },
    files: {
      'acme/notices.yaml': `kind: Upstream
tenant: acme
name: notices
transport: { type: stdio, command: notices }
tools:
  - name: publish
    says: Publishes a notice on the public board
    effect: write
    reaches: external
    accepts: internal
    returns: { sensitivity: internal, integrity: tenant }
`,
      'acme/notices.cedar': `@id("acme/notices-are-read-first")
@reason("What is published is read by one of finance first")
forbid (principal, action == Taskgate::Action::"notices__publish", resource)
unless { context.satisfied.contains("approval:finance") };
`,
      'acme/notices.cases.yaml': `- case: publishing is asked about
  tool: notices__publish
  facts: { args: { title: a, text: b } }
  expect: { decision: require, requirements: ["approval:finance"], policies: [acme/notices-are-read-first] }
`,
      ...options.files,
    },
    change(document) {
      const changed = options.change?.(document) ?? document;
      if (document['kind'] === 'UseCase' && document['name'] === 'match-invoices' && document['tenant'] === 'acme')
        return {
          ...changed,
          grants: [...(document['grants'] as unknown[]), { tool: 'notices__publish' }],
          budget: { ...(document['budget'] as object), amount: 5_000 },
          max_open_sessions: 50,
        };
      return changed;
    },
  });
}

export const publish = (text: string, more: Readonly<Record<string, unknown>> = {}) => ({
  name: 'notices__publish',
  arguments: { title: 'News', text, ...more },
});

/** A client in a task of its own, under way with this call. */
export async function callIn(
  broker: TestBroker,
  call: { readonly name: string; readonly arguments: Record<string, unknown> },
  ask: Parameters<TestBroker['open']>[0] = {},
) {
  const task = await broker.open(ask);
  const client = await modernClient(task);
  const answer = client.callTool(call, { timeout: 60_000 });
  answer.catch(() => undefined);
  return { task, client, answer };
}

/** The approval a task waits for, once it is there. */
export const waitingIn = (broker: TestBroker, session: string): Promise<ApprovalRow> =>
  vi.waitUntil(async () => (await broker.ports.store.listApprovals('acme', { status: 'pending', session }, { after: null, limit: 1 }))[0], {
    timeout: 10_000,
    interval: 20,
  });

const executable = '/usr/bin/chromium';
const flags = '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
/** Where there is no browser these tests say that they were skipped; CI insists. */
export const withBrowser = existsSync(executable) || process.env['CI'] === 'true';

export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: executable, args: flags.split(' ') });

export interface Look {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Every address the browser asked for beyond the broker's own origin. */
  readonly foreign: string[];
  /** What went wrong on the pages: errors of script, and what the content policy stopped. */
  readonly trouble: string[];
}

export async function openPage(browser: Browser, broker: TestBroker, options: Parameters<Browser['newContext']>[0] = {}): Promise<Look> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const [foreign, trouble]: [string[], string[]] = [[], []];
  context.on('request', (request) => void (new URL(request.url()).origin === broker.url || foreign.push(request.url())));
  context.on('weberror', (error) => void trouble.push(String(error.error())));
  context.on('console', (message) => void (message.type() === 'error' && trouble.push(message.text())));
  return { context, page: await context.newPage(), foreign, trouble };
}

/** Through the link and its button, as a person does. */
export async function logIn({ page }: Pick<Look, 'page'>, broker: TestBroker, name: string, tenant = 'acme'): Promise<void> {
  await page.goto(await linkFor(broker, name, tenant));
  await page.getByRole('button', { name: `Log in as ${name}` }).click();
  await page.getByRole('navigation', { name: 'Console' }).waitFor();
}

export const shots = join(import.meta.dirname, 'shots');
export async function shoot(page: Page, name: string): Promise<void> {
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

/** What keeps somebody from using a page: WCAG 2.2, levels A and AA. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(where: unknown, options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  });
  return found;
}
