import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';

/** An authenticator of a test's own, with the browser's part: it signs whatever it is told to, so it can lie where a real one would not. */
export interface Authenticator {
  readonly id: string;
  /** As `PublicKeyCredential.toJSON()` of a registration. */
  make(options: { challenge: string }, lie?: Lie): Record<string, unknown>;
  /** As `PublicKeyCredential.toJSON()` of an authentication. */
  sign(options: { challenge: string }, lie?: Lie): SignedJson;
}
export interface SignedJson {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly response: { readonly clientDataJSON: string; readonly authenticatorData: string; readonly signature: string };
}
export interface Lie {
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  /** Of the authenticator data: user present 1, user verified 4. */
  readonly flags?: number;
  readonly counter?: number;
  readonly algorithm?: number;
  readonly format?: string;
  readonly statement?: Map<string, unknown>;
}

const present = 0x01 | 0x04;
const withKey = 0x40;

export function createAuthenticator(origin = 'http://localhost:7411'): Authenticator {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const credential = randomBytes(32);
  const id = credential.toString('base64url');
  let counter = 0;

  const clientData = (type: string, challenge: string, lie: Lie): Buffer =>
    Buffer.from(JSON.stringify({ type: lie.type ?? type, challenge, origin: lie.origin ?? origin, crossOrigin: lie.crossOrigin ?? false }));
  const authData = (flags: number, lie: Lie, rest = Buffer.alloc(0)): Buffer => {
    const counted = Buffer.alloc(4);
    counter += 1;
    counted.writeUInt32BE(lie.counter ?? counter);
    const host = createHash('sha256')
      .update(lie.rpId ?? new URL(origin).hostname)
      .digest();
    return Buffer.concat([host, Buffer.from([flags]), counted, rest]);
  };

  return {
    id,
    make({ challenge }, lie = {}) {
      const key = isoCBOR.encode(
        new Map<number, unknown>([
          [1, 2],
          [3, lie.algorithm ?? -7],
          [-1, 1],
          [-2, new Uint8Array(Buffer.from(x, 'base64url'))],
          [-3, new Uint8Array(Buffer.from(y, 'base64url'))],
        ]) as never,
      );
      const length = Buffer.alloc(2);
      length.writeUInt16BE(credential.length);
      const data = authData((lie.flags ?? present) | withKey, lie, Buffer.concat([Buffer.alloc(16), length, credential, key]));
      const object = new Map<string, unknown>([
        ['fmt', lie.format ?? 'none'],
        ['attStmt', lie.statement ?? new Map()],
        ['authData', new Uint8Array(data)],
      ]);
      return {
        id,
        rawId: id,
        type: 'public-key',
        authenticatorAttachment: 'platform',
        clientExtensionResults: {},
        response: {
          clientDataJSON: clientData('webauthn.create', challenge, lie).toString('base64url'),
          attestationObject: Buffer.from(isoCBOR.encode(object as never)).toString('base64url'),
          transports: ['internal'],
        },
      };
    },
    sign({ challenge }, lie = {}) {
      const said = clientData('webauthn.get', challenge, lie);
      const data = authData(lie.flags ?? present, lie);
      const signature = sign('sha256', Buffer.concat([data, createHash('sha256').update(said).digest()]), privateKey);
      const response = {
        clientDataJSON: said.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: signature.toString('base64url'),
      };
      return { id, rawId: id, type: 'public-key', response };
    },
  };
}
