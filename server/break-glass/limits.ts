const minute = 60_000;

export const usualLifetimeMs = 60 * minute;
export const longestLifetimeMs = 240 * minute;
/** How long a request waits for its second person. */
export const confirmMs = 15 * minute;
/** After its end. */
export const reviewMs = 72 * 60 * minute;
export const usualCalls = 10;
export const mostCalls = 100;
export const mostTools = 5;
