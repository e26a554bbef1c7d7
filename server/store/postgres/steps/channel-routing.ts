/** Which groups a channel is for, and whether its receiver said that it is gone. */
export const channelRouting = `
  ALTER TABLE channels ADD COLUMN in_groups TEXT;
  ALTER TABLE channels ADD COLUMN fingerprint TEXT;
  ALTER TABLE channels ADD COLUMN disabled_at BIGINT;
`;
