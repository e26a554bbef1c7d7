/**
 * Places for work, shared fairly: whoever waits is served by turns of groups, and within a group by turns of members, whatever
 * each of them has sent. Pure: no clock, no timer, no promise; a free place is given at once.
 */
export interface FairQueue {
  /** A place at once; else a place in the line, and `granted` is called once, when its turn has come, unless it was cancelled first. */
  enter(group: string, member: string, granted: (place: Place) => void): { readonly place: Place } | { readonly cancel: () => void };
  /** Nobody works and nobody waits. */
  isIdle(): boolean;
  counts(): { readonly working: number; readonly waiting: number; readonly groups: number };
}

/** One piece of work under way. */
export interface Place {
  /** Makes room for another; without effect when it has left already. */
  leave(): void;
  /** Takes a place again, true at once; else false, and `granted` is called when it has one. What was begun goes before all of its group that was not. */
  comeBack(granted: () => void): boolean;
}

/** Most at work: in all, of one group, of one member. Fewer of a group than in all leave room for the others whatever it does. */
export interface Slots {
  readonly all: number;
  /** At least 1. It may change at any time; who waits learns of more when the next of the group leaves. */
  readonly group: (name: string) => number;
  readonly member: number;
}

interface Member {
  readonly name: string;
  readonly group: Group;
  working: number;
  /** Null until somebody had to wait. */
  waiting: Set<() => void> | null;
}
interface Group {
  readonly name: string;
  working: number;
  readonly members: Map<string, Member>;
  /** Members that wait and may have one more, whose turn is first first. Null until somebody had to wait. */
  ready: Set<Member> | null;
  /** Work that was begun and wants to go on. Null until some had to wait. */
  returning: Set<() => void> | null;
}

export function createFairQueue(slots: Slots): FairQueue {
  const mayHaveMore = ({ name, working: now }: Group): boolean => now < slots.group(name);
  const groups = new Map<string, Group>();
  /** Groups that wait and may have one more, whose turn is first first. */
  const ready = new Set<Group>();
  let working = 0;

  function find(groupName: string, name: string): Member {
    let group = groups.get(groupName);
    if (!group) {
      group = { name: groupName, working: 0, members: new Map(), ready: null, returning: null };
      groups.set(groupName, group);
    }
    let member = group.members.get(name);
    if (!member) {
      member = { name, group, working: 0, waiting: null };
      group.members.set(name, member);
    }
    return member;
  }

  /** Brings the turns up to date with what a member and its group now do; whoever does nothing is forgotten. */
  function order(member: Member): void {
    const { group } = member;
    if (member.waiting) {
      group.ready ??= new Set();
      put(group.ready, member, member.waiting.size > 0 && member.working < slots.member);
    }
    if (group.ready || group.returning) put(ready, group, (sizeOf(group.returning) > 0 || sizeOf(group.ready) > 0) && mayHaveMore(group));
    if (member.working === 0 && sizeOf(member.waiting) === 0) group.members.delete(member.name);
    if (group.members.size === 0 && sizeOf(group.returning) === 0) groups.delete(group.name);
  }

  function begin(groupName: string, name: string): Place {
    let inside: Member | null = null;
    const step = (): void => {
      inside = find(groupName, name);
      inside.working += 1;
      inside.group.working += 1;
      working += 1;
      order(inside);
    };
    step();
    return {
      leave() {
        if (!inside) return;
        const member = inside;
        inside = null;
        member.working -= 1;
        member.group.working -= 1;
        working -= 1;
        order(member);
        serve();
      },
      comeBack(granted) {
        const member = find(groupName, name);
        if (inside) return true;
        if (working < slots.all && sizeOf(member.group.returning) === 0 && mayHaveMore(member.group)) {
          step();
          return true;
        }
        const line = member.group.returning ?? new Set();
        member.group.returning = line;
        line.add(() => {
          step();
          granted();
        });
        order(member);
        return false;
      },
    };
  }

  function serve(): void {
    while (ready.size > 0 && working < slots.all) {
      const group = first(ready);
      if (!group) return;
      // Taken out, so that whoever waits on is put behind all others.
      ready.delete(group);
      const line = sizeOf(group.returning) > 0 ? group.returning : lineOf(group);
      const turn = line && first(line);
      if (!line || !turn) return;
      line.delete(turn);
      turn();
    }
  }

  /** Nobody who may take a place waits before it in its own group, where more may have been allowed since. */
  const isFirst = ({ group }: Member): boolean => sizeOf(group.ready) === 0 && sizeOf(group.returning) === 0;

  function lineOf(group: Group): Set<() => void> | null {
    const member = group.ready && first(group.ready);
    if (!member) return null;
    group.ready?.delete(member);
    return member.waiting;
  }

  return {
    enter(groupName, name, granted) {
      const member = find(groupName, name);
      // INVARIANT: whoever waits while places are free may not have one more, so nobody of another group is overtaken here.
      if (working < slots.all && member.working < slots.member && isFirst(member) && mayHaveMore(member.group)) return { place: begin(groupName, name) };
      const line = member.waiting ?? new Set();
      member.waiting = line;
      const turn = (): void => granted(begin(groupName, name));
      line.add(turn);
      order(member);
      return {
        cancel() {
          if (line.delete(turn)) order(member);
        },
      };
    },
    isIdle: () => groups.size === 0,
    counts() {
      const all = [...groups.values()];
      const lines = all.flatMap((group) => [group.returning, ...[...group.members.values()].map(({ waiting }) => waiting)]);
      return { working, waiting: lines.reduce((sum, line) => sum + sizeOf(line), 0), groups: groups.size };
    },
  };
}

const first = <T>(set: ReadonlySet<T>): T | undefined => set.values().next().value;
const sizeOf = (set: ReadonlySet<unknown> | null): number => set?.size ?? 0;

function put<T>(set: Set<T>, value: T, isIn: boolean): void {
  if (isIn) set.add(value);
  else set.delete(value);
}
