import type { Action, Page } from './page.ts';
import { breakGlassActions } from './pages/act-on-break-glass.ts';
import { approvalActions, approvalPage } from './pages/approval.ts';
import { batchActions, batchPage } from './pages/batch.ts';
import { breakGlassListPage, breakGlassPage } from './pages/break-glass.ts';
import { changeActions, changePage } from './pages/change.ts';
import { changesPage } from './pages/changes.ts';
import { consent, consentActions } from './pages/consent.ts';
import { delegationActions, delegationsPage } from './pages/delegations.ts';
import { exceptionsPage } from './pages/exceptions.ts';
import { historyPage } from './pages/history.ts';
import { lightenActions } from './pages/lighten-approval.ts';
import { passkeyActions, passkeysPage } from './pages/passkeys.ts';
import { queuePage } from './pages/queue.ts';
import { sessionPage } from './pages/session.ts';
import { sessionsPage } from './pages/sessions.ts';
import { standingActions, standingPage } from './pages/standing.ts';
import { sessionActions } from './pages/stop-session.ts';

/** Every page, in the order of the navigation, and everything that can be done on one. How to add one: `page.ts`. */
export const pages: readonly Page[] = [
  queuePage,
  approvalPage,
  batchPage,
  sessionsPage,
  sessionPage,
  historyPage,
  changesPage,
  changePage,
  breakGlassListPage,
  breakGlassPage,
  exceptionsPage,
  standingPage,
  delegationsPage,
  passkeysPage,
  consent,
];
export const actions: readonly Action[] = [
  ...approvalActions,
  ...batchActions,
  ...delegationActions,
  ...lightenActions,
  ...standingActions,
  ...sessionActions,
  ...changeActions,
  ...passkeyActions,
  ...breakGlassActions,
  ...consentActions,
];
