import type { Task } from '../../server/connect/session.ts';
import { mcpRequest, numberMark } from '../bench/wire.ts';

/** What a neighbour may do to the others: by name, the requests that one who floods with it sends, over all its sessions. */
export const floods: Readonly<Record<string, (tasks: readonly Task[]) => string[]>> = {
  calls: (tasks) => tasks.map((task) => callOf(task, 'bench__echo', `hello ${numberMark}`)),
  'one session': ([task]) => (task ? [callOf(task, 'bench__echo', `hello ${numberMark}`)] : []),
  denials: (tasks) => tasks.map((task) => callOf(task, 'bench__echo', `never-${numberMark}`)),
  'unknown tools': (tasks) => tasks.map((task) => callOf(task, `bench__${numberMark}`, 'x')),
  'big bodies': (tasks) => tasks.map((task) => callOf(task, 'bench__echo', 'x'.repeat(900_000))),
  'many members': (tasks) => tasks.map((task) => callOf(task, 'bench__echo', manyMembers)),
  'bad tokens': (tasks) => tasks.map((task) => callOf({ ...task, accessToken: `${task.accessToken.slice(0, -12)}${numberMark}AAAA` }, 'bench__echo', 'x')),
  'a slow upstream': (tasks) => tasks.map((task) => callOf(task, 'bench__slow', `hello ${numberMark}`)),
  'a hanging upstream': (tasks) => tasks.map((task) => callOf(task, 'bench__hang', `hello ${numberMark}`)),
};

/** Some 650 kB. */
const manyMembers = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`m${index}`, 1]));

export function callOf({ mcpUrl, accessToken }: Pick<Task, 'mcpUrl' | 'accessToken'>, name: string, text: string | object): string {
  const { host, pathname } = new URL(mcpUrl);
  return mcpRequest({ host, path: pathname, token: accessToken }, 'tools/call', { name, arguments: { text } });
}
