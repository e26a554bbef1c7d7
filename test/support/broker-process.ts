import { startTestBroker } from './broker.ts';
import { slowLedger } from './slow-ledger.ts';

/** A broker in a process of its own, on the slow ledger, to be killed: prints its URL once it is ready. `argv`: its folder. */
const [dir = ''] = process.argv.slice(2);
const broker = await startTestBroker({ dir, holdMs: 20_000, ...slowLedger(dir) });
process.stdout.write(`${broker.url}\n`);
