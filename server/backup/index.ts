export { BadBackup, type Header } from './format.ts';
export { OtherKeys, type Restored, restoreBackup } from './restore-backup.ts';
export { type Progress, type WrittenBackup, writeBackup } from './write-backup.ts';
