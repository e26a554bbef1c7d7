import { resolveTool } from '../../server/call/resolve-tool.ts';
import { caller, request } from './evidence.ts';

resolveTool(caller, request);
