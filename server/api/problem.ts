import { z } from 'zod';

/** RFC 9457 problem details; `code` is stable, `remedy` is for people. Never holds what the asker may not know. */
export const problemShape = z.looseObject({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  remedy: z.string(),
});

export interface Problem {
  readonly problem: true;
  readonly status: ProblemStatus;
  readonly code: string;
  readonly detail: string;
  readonly remedy: string;
  readonly more: Readonly<Record<string, unknown>>;
}

const titles = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;
export type ProblemStatus = keyof typeof titles;

export function problem(status: ProblemStatus, code: string, detail: string, remedy: string, more: Readonly<Record<string, unknown>> = {}): Problem {
  return { problem: true, status, code, detail, remedy, more };
}

export const isProblem = (value: object): value is Problem => 'problem' in value;

/** The one answer for what is not there and what is not the asker's. */
export const notFound = (): Problem => problem(404, 'not_found', 'There is no such thing here.', 'Check the name, or list what there is.');

export function problemResponse({ status, code, detail, remedy, more }: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const body = { ...more, type: 'about:blank', title: titles[status], status, code, detail, remedy };
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers } });
}
