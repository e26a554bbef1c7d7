import { z } from 'zod';
import { stopSession } from '../../sessions/index.ts';
import { action, notHere } from '../page.ts';

const fields = z.object({ reason: z.string().trim().min(3).max(500) });

const stop = (verb: 'end' | 'suspend', status: 'ended' | 'suspended') =>
  action({
    path: `/sessions/:id/${verb}`,
    access: 'named',
    fields,
    async run(ports, { person, standing }, { param, values }) {
      const answer = await stopSession(ports, { tenant: person.tenant, standing }, param('id'), { status, reason: values.reason });
      if ('session' in answer) return { to: `/console/sessions/${answer.session.id}`, say: `session-${status}` };
      if (answer.why === 'not_found') return notHere();
      const remedy = 'Ask an admin.';
      return { refused: 403, code: 'role.missing', message: 'Only an admin, its sponsor or a reviewer it has asked may stop a task.', remedy };
    },
  });

export const sessionActions = [stop('end', 'ended'), stop('suspend', 'suspended')];
