/** What several of the fixtures are made of. */

export const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const string = { type: 'string' } as const;

/** A question to a user, who is never asked it: a broker offers its upstreams nothing of its agents. */
export const elicitation = (field: string) => ({
  method: 'elicitation/create' as const,
  params: {
    mode: 'form' as const,
    message: 'Who is there?',
    requestedSchema: { type: 'object' as const, properties: { [field]: string }, required: [field] },
  },
});
