/** Text fit for one line of a comment: whatever a name or a reason holds, it cannot end the line. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');

export const calls = (count: number): string => (count === 1 ? '1 call' : `${count} calls`);
