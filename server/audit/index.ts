export { type AccessLog, createAccessLog } from './access-log.ts';
export { chainRecord, genesis } from './chain.ts';
export { checkBody } from './check-body.ts';
export { exportJsonl, parseExport, parseLine, recordsOf, verifyExport } from './export.ts';
export { hmacOf } from './hmac.ts';
export { createPlatformLog, type PlatformLog } from './platform-log.ts';
export { type RecordBody, type RecordType, recordTypes, type StoredRecord } from './record.ts';
export type { RefusedAccess } from './refusal-recorder.ts';
export { type Verification, verifyChain } from './verify-chain.ts';
