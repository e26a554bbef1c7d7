import {
  awaitApproval,
  brokerCall,
  cancelTask,
  completeArgument,
  enterSession,
  keepTask,
  kindsOf,
  listPrompts,
  listResources,
  listTasks,
  listTemplates,
  listTools,
  lookAtTask,
  runTask,
} from '../call/index.ts';
import { applyExtension, requestExtension } from '../extensions/index.ts';
import { authenticate, callerOfConnection } from '../identity/index.ts';
import type { Ports } from '../ports.ts';
import { endSession, openSession } from '../sessions/index.ts';
import type { Parts } from './parts.ts';
import { createDoor, type McpDoor } from './routes.ts';

const tasks = { keep: keepTask, look: lookAtTask, run: runTask, cancel: cancelTask, list: listTasks };
const broker: Parts = {
  authenticate,
  callerOfConnection,
  enterSession,
  listTools,
  listResources,
  listTemplates,
  listPrompts,
  completeArgument,
  kindsOf,
  brokerCall,
  awaitApproval,
  openSession,
  endSession,
  requestExtension,
  applyExtension,
  tasks,
};

/** The MCP door over the call path; `parts` only to stand in for some of it. */
export function mcpDoor(ports: Ports, parts: Partial<Parts> = {}): McpDoor {
  return createDoor(ports, { ...broker, ...parts });
}

export type { Parts } from './parts.ts';
export type { McpDoor } from './routes.ts';
