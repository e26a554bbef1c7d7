import { judge } from '../../server/call/judge.ts';
import { resolveTool } from '../../server/call/resolve-tool.ts';
import { request, session } from './evidence.ts';

judge(resolveTool(session, request));
