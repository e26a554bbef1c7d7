import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { type Doors, listen } from '../../server/listen.ts';

const fine: Doors = { fetch: () => new Response('heard'), take: () => null };

it.each<[string, Doors['take']]>([
  [
    'at once',
    () => {
      throw new Error('broken');
    },
  ],
  ['later', async () => Promise.reject(new Error('broken'))],
])('a door that breaks %s answers that request with an error that says nothing, and the next is heard', async (_, take) => {
  let doors: Doors = { ...fine, take };
  const listening = await listen(() => doors, ['127.0.0.1'], 0, pino({ level: 'silent' }));
  onTestFinished(() => listening.close());
  const url = `http://127.0.0.1:${listening.port}/mcp`;
  const broken = await fetch(url, { method: 'POST', body: '{}' });
  expect([broken.status, await broken.json()]).toEqual([500, { error: 'server_error' }]);
  doors = fine;
  expect(await (await fetch(url)).text()).toBe('heard');
});
