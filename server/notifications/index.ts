export { type Delivering, startDelivering } from './deliver.ts';
export { eventTypes } from './event.ts';
export { secretProblem } from './secrets.ts';
