import type { CryptoKey, JWK } from 'jose';

/** One key of a purpose, with its id; the newest signs or seals, all not yet retired still verify or open. */
export interface SecretKey {
  readonly id: string;
  readonly createdAt: number;
  /** Epoch ms after which it opens nothing; null while in use. */
  readonly retiresAt: number | null;
  readonly bytes: Uint8Array;
}
export interface SigningKey {
  readonly id: string;
  readonly createdAt: number;
  readonly retiresAt: number | null;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** The broker's own keys, one ring a purpose, newest first. Made at first start with mode 0600. */
export interface Keys {
  /** Ed25519: signs task and person tokens. */
  readonly token: readonly SigningKey[];
  /** 32 bytes: seals `requestState`. */
  readonly state: readonly SecretKey[];
  /** 32 bytes: keyed HMACs of values in records. */
  readonly hmac: readonly SecretKey[];
  /** 32 bytes: AES-256-GCM over secrets, proposals and outcomes at rest. */
  readonly escrow: readonly SecretKey[];
  /** 32 bytes: vouches for the store's anchor and for backups. */
  readonly anchor: readonly SecretKey[];
}
