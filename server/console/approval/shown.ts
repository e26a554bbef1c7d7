import { seal, unseal } from '../../credentials/index.ts';
import type { Ports } from '../../ports.ts';
import type { Visitor } from '../page.ts';

/**
 * Evidence, carried by the form, that this login was shown exactly this proposal with these arguments opened: sealed by the
 * broker, so that no script and no hand can claim it.
 */
const contextOf = (visitor: Visitor, approval: string, digest: string): string =>
  `console/shown/${visitor.person.tenant}/${visitor.login}/${approval}/${digest}`;

export const sealShown = (ports: Pick<Ports, 'keys'>, visitor: Visitor, approval: string, digest: string, opened: readonly number[]): string =>
  Buffer.from(seal(ports.keys.state, JSON.stringify(opened), contextOf(visitor, approval, digest))).toString('base64url');

/** Which arguments were open on the page the form stood on; null when it was no such page. */
export function openShown(ports: Pick<Ports, 'keys' | 'clock'>, visitor: Visitor, approval: string, digest: string, text: string): ReadonlySet<number> | null {
  try {
    const opened = unseal(ports.keys.state, Buffer.from(text, 'base64url'), contextOf(visitor, approval, digest), ports.clock());
    return new Set(JSON.parse(opened.toString('utf8')) as number[]);
  } catch {
    return null;
  }
}
