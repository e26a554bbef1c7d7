/** What the MCP SDKs ask of the platform they run on, as for Node, with the validator that a broker gives them. */
export { default as process } from 'node:process';
export { CfWorkerJsonSchemaValidator as DefaultJsonSchemaValidator } from '@modelcontextprotocol/server/validators/cf-worker';
export const CORS_IS_POSSIBLE = false;
