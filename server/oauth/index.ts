export { consentPath } from './authorize/authorize.ts';
export { boundsOf, type Choice, choicesFor, consentTo } from './authorize/consent.ts';
export { type AuthorizationAsked, goBack, openRequest, refusal } from './authorize/request.ts';
export { oauthRoutes } from './routes.ts';
