import type { ChannelDocument } from '../documents/channel.ts';

/** One secret, or two while it is being replaced, with a space between. */
export const signingSecrets = (value: string): string[] => value.split(' ').filter((one) => one !== '');

const signing = /^whsec_[A-Za-z0-9+/]+={0,2}$/;

/** What is wrong with a value as the credential of such a channel, never quoting it; null when nothing is. */
export function secretProblem(type: ChannelDocument['transport']['type'], value: string): string | null {
  switch (type) {
    case 'webhook': {
      const all = signingSecrets(value);
      const fits = all.length >= 1 && all.length <= 2 && all.every((one) => signing.test(one) && bytesOf(one) >= 24 && bytesOf(one) <= 64);
      return fits ? null : 'give `whsec_` and 24 to 64 bytes in base64; two of them, the new one first, while it is being replaced';
    }
    case 'slack':
      return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) ? null : 'give the URL of an incoming webhook';
    case 'email':
      return null;
  }
}

const bytesOf = (secret: string): number => Buffer.from(secret.slice('whsec_'.length), 'base64').length;
