import type { Config } from '../../config.ts';
import { isLoopbackHost } from '../urls.ts';

/** Whoever reads the provider's folder can act as anyone: it runs only where that folder and its listener are one machine's. */
export function localProviderRuns(config: Pick<Config, 'listen' | 'store'>): boolean {
  return config.store.startsWith('sqlite:') && config.listen.hosts.every(isLoopbackHost);
}
