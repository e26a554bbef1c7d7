import { type DestinationStream, type Logger, pino } from 'pino';

/** A second line of defence: nothing of these names is ever handed to the log on purpose. */
const redact = [
  'authorization',
  'token',
  'secret',
  'assertion',
  'arguments',
  'value',
  'headers',
  '*.authorization',
  '*.token',
  '*.secret',
  '*.assertion',
  '*.arguments',
  '*.value',
  '*.headers',
];

/** JSON lines on standard error; standard output belongs to commands and to MCP over stdio. */
export function createLog(level: string, to: DestinationStream = pino.destination({ fd: 2, sync: true })): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: { paths: redact, censor: '[redacted]' } }, to);
}
