import { CfWorkerJsonSchemaValidator } from '@modelcontextprotocol/server/validators/cf-worker';
import product from '../../package.json' with { type: 'json' };
import type { Visit } from './parts.ts';

/** How Taskgate presents itself to a client, the same on both protocol legs. */

export const serverInfo = { name: 'taskgate', title: 'Taskgate', version: product.version };

/** Both SDKs compile schemas into code unless told otherwise. */
export const schemaValidator = new CfWorkerJsonSchemaValidator();

/** A connection token may open any task of its agent, whatever that has. */
export function capabilitiesOf({ session, connection, parts }: Visit) {
  const { resources, prompts } = connection ? { resources: true, prompts: true } : session ? parts.kindsOf(session) : { resources: false, prompts: false };
  const listChanged = { listChanged: true };
  return {
    tools: listChanged,
    ...(resources ? { resources: listChanged } : {}),
    ...(prompts ? { prompts: listChanged } : {}),
    ...(resources || prompts ? { completions: {} } : {}),
  };
}

export type Capabilities = ReturnType<typeof capabilitiesOf>;

const always = `Taskgate brokers these tools for one task. What is listed is all this task may use, and every call is judged when it is made.
A call may have to wait for a human. When an answer says a call was not executed and names an approval, nothing has happened yet: retry exactly that call (same tool, same arguments), or call await_approval with the approval's id until it is decided and then retry. A retry never runs an approved call twice; to mean another, equal call, send a new _meta["taskgate/call"]. Nothing you answer can approve a call.
A refusal gives its reason. Act on the reason or tell the person you work for; do not try to reach the same effect another way.`;

const withConnection = 'Call open_task first, list the tools again, and call end_task as soon as the work is done.';

export const instructionsFor = (visit: Visit): string => (visit.connection ? `${always}\n${withConnection}` : always);
