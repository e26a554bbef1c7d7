export { ask, type BrokerDoors, findDoors, readJson } from './broker.ts';
export { connect, openSession, type TaskOptions } from './connect.ts';
export { type Exit, exits, Failure, usage } from './failure.ts';
export { currentLogin, forgetLogin, type Login, linkToConsole, logInLocally, logInWithToken, personToken } from './logins.ts';
export type { Task, TaskRequest } from './session.ts';
export { readToken } from './workload.ts';
