export { type Anchor, readAnchor, writeAnchor } from './anchor-file.ts';
export { compareStore } from './compare.ts';
export { type KeptAnchor, keepAnchor, NotAsAnchored } from './keep-anchor.ts';
