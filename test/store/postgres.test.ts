import { describeStore } from '../contract/store.contract.ts';
import { describeOnPostgres } from './postgres-bench.ts';

await describeOnPostgres((database) => {
  describeStore('PostgreSQL', async (clock) => {
    await database.wipe();
    return {
      store: await database.open(clock),
      another: () => database.open(clock),
      close: () => database.wipe(),
    };
  });
});
