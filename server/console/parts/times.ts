import { html } from 'hono/html';
import type { Html } from '../page.ts';

/** Times in epoch seconds, as `/v1` has them. */

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** A moment: a clock time, with the day when it is another. */
export function moment(seconds: number, now: number): Html {
  const text = iso(seconds);
  const sameDay = text.slice(0, 10) === iso(now).slice(0, 10);
  return html`<time datetime="${text}">${sameDay ? `${text.slice(11, 16)} UTC` : `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`}</time>`;
}

/** What is left; a script counts it down. */
export const until = (seconds: number, now: number): Html =>
  html`<time class="left" datetime="${iso(seconds)}" data-until="${seconds}">${seconds <= now ? 'over' : spanOf(seconds - now)}</time>`;

export function spanOf(seconds: number): string {
  if (seconds > 0 && seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return minutes < 10 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
