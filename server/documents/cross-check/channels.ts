import { didYouMean } from '../../../policies/index.ts';
import type { ChannelDocument } from '../channel.ts';
import type { NextTenant } from '../merge.ts';
import { type DocumentProblem, type Located, problemAt } from '../problems.ts';

/** A channel and its credential name each other, so that a secret is never sent where it was not meant for. */
export function checkChannels({ documents, byKind }: NextTenant): DocumentProblem[] {
  return documents.flatMap((one) => {
    if (one.body.kind === 'Channel') return [...checkTransport(one, one.body), ...checkCredential(one, one.body, byKind.credentials)];
    if (one.body.kind !== 'Credential' || !('channel' in one.body.inject)) return [];
    const { channel } = one.body.inject;
    if (byKind.channels.get(channel)?.credential === one.body.name) return [];
    const known = [...byKind.channels.keys()];
    const remedy = `Name it as \`credential\` of the Channel ${channel}.${didYouMean(channel, known)}`;
    return [problemAt(one, ['inject', 'channel'], `No channel ${channel} uses this credential`, remedy)];
  });
}

function checkTransport(one: Located, { transport, credential }: ChannelDocument): DocumentProblem[] {
  if (transport.type === 'webhook') {
    const url = new URL(transport.url);
    if (url.username !== '' || url.password !== '')
      return [problemAt(one, ['transport', 'url'], 'A URL with a login in it', 'Receivers know Taskgate by its signature')];
  }
  if (transport.type === 'email') {
    if ((transport.user === undefined) === (credential === undefined)) return [];
    return [problemAt(one, ['transport', 'user'], '`user` and `credential` go together', 'Give both, or neither when the server asks for no login')];
  }
  return credential === undefined
    ? [problemAt(one, ['credential'], `A ${transport.type} channel without \`credential\``, 'Name a Credential document with `inject: { channel: … }`')]
    : [];
}

function checkCredential(one: Located, { name, credential }: ChannelDocument, credentials: NextTenant['byKind']['credentials']): DocumentProblem[] {
  if (credential === undefined) return [];
  const found = credentials.get(credential);
  if (found && 'channel' in found.inject && found.inject.channel === name) return [];
  const cause = found ? `The credential ${credential} is not for this channel` : `There is no credential ${credential}`;
  const remedy = `Add a Credential of that name with \`inject: { channel: ${name} }\`.${didYouMean(credential, [...credentials.keys()])}`;
  return [problemAt(one, ['credential'], cause, remedy)];
}
