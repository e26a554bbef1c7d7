import type { Action, Page } from './page.ts';
import { approvalActions, approvalPage } from './pages/approval.ts';
import { queuePage } from './pages/queue.ts';
import { sessionActions } from './pages/sessions.ts';

/** Every page, in the order of the navigation, and everything that can be done on one. How to add one: `page.ts`. */
export const pages: readonly Page[] = [queuePage, approvalPage];
export const actions: readonly Action[] = [...approvalActions, ...sessionActions];
