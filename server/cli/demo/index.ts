import process from 'node:process';
import { exits } from '../../connect/index.ts';
import { paint } from '../print.ts';
import { playEnding } from './ending.ts';
import { playIsolation } from './isolation.ts';
import { playOpening } from './opening.ts';
import { playPayment } from './payment.ts';
import { playRecord } from './record.ts';
import { setStage } from './stage.ts';
import { openTranscript } from './transcript.ts';

/** Plays the story from first to last; sets the exit code at the first surprise and cleans up in any case. */
export async function playDemo({ json }: { readonly json: boolean }): Promise<void> {
  const transcript = openTranscript(json);
  const began = performance.now();
  let ok = false;
  try {
    transcript.chapter('A fresh broker');
    const stage = await transcript.step('starts on a free port with the sample documents', setStage, ({ url }) => url);
    try {
      const cast = await playOpening(transcript, stage);
      try {
        await playPayment(transcript, stage, cast);
        await playIsolation(transcript, stage, cast);
        await playEnding(transcript, stage, cast);
        await playRecord(transcript, stage);
        ok = true;
      } finally {
        await Promise.allSettled([cast.modern.close(), cast.older.close(), cast.stdio.close()]);
      }
    } finally {
      await stage.close();
    }
  } catch (error) {
    // What was expected and seen stands in the transcript; anything else happened outside a step.
    if (transcript.steps.every((step) => step.ok)) throw error;
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (json) process.stdout.write(`${JSON.stringify({ ok, seconds: Number(seconds), steps: transcript.steps })}\n`);
  else
    process.stdout.write(
      ok
        ? `\n${paint('green', `All ${transcript.steps.length} steps as told, in ${seconds} s.`)}\n`
        : `\n${paint('red', 'A surprise; the story ends here.')}\n`,
    );
  if (!ok) process.exitCode = exits.failure;
}
