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
  /** Takes room again without waiting, because what was begun is not made to wait: the places may be overdrawn by it, and whoever waits, waits longer. */
  back(): void;
}

/** Most at work: in all, of one group, of one member. Fewer of a group than in all leave room for the others whatever it does. */
export interface Slots {
  readonly all: number;
  readonly group: number;
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
}

export function createFairQueue(slots: Slots): FairQueue {
  const groups = new Map<string, Group>();
  /** Groups with a ready member that may have one more, whose turn is first first. */
  const ready = new Set<Group>();
  // What a group has overdrawn is its own to bear: it takes nothing from the others' places.
  let taken = 0;

  function find(groupName: string, name: string): Member {
    let group = groups.get(groupName);
    if (!group) {
      group = { name: groupName, working: 0, members: new Map(), ready: null };
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
    if (group.ready) put(ready, group, group.ready.size > 0 && group.working < slots.group);
    if (member.working === 0 && !member.waiting?.size) group.members.delete(member.name);
    if (group.members.size === 0) groups.delete(group.name);
  }

  function begin(groupName: string, name: string): Place {
    let inside: Member | null = null;
    const place: Place = {
      back() {
        if (inside) return;
        inside = find(groupName, name);
        inside.working += 1;
        if (++inside.group.working <= slots.group) taken += 1;
        order(inside);
      },
      leave() {
        if (!inside) return;
        const member = inside;
        inside = null;
        member.working -= 1;
        if (--member.group.working < slots.group) taken -= 1;
        order(member);
        serve();
      },
    };
    place.back();
    return place;
  }

  function serve(): void {
    while (ready.size > 0 && taken < slots.all) {
      const group = first(ready);
      const member = group?.ready && first(group.ready);
      const turn = member?.waiting && first(member.waiting);
      if (!group?.ready || !member || !turn) return;
      // Taken out, so that whoever waits on is put behind all others.
      ready.delete(group);
      group.ready.delete(member);
      turn();
    }
  }

  return {
    enter(groupName, name, granted) {
      const member = find(groupName, name);
      // INVARIANT: whoever waits while places are free may not have one more, so nobody is overtaken here.
      if (taken < slots.all && member.group.working < slots.group && member.working < slots.member) return { place: begin(groupName, name) };
      const line = member.waiting ?? new Set();
      member.waiting = line;
      const turn = (): void => {
        line.delete(turn);
        granted(begin(groupName, name));
      };
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
      const members = [...groups.values()].flatMap((group) => [...group.members.values()]);
      const sum = (of: (member: Member) => number): number => members.reduce((total, member) => total + of(member), 0);
      return { working: sum(({ working }) => working), waiting: sum(({ waiting }) => waiting?.size ?? 0), groups: groups.size };
    },
  };
}

const first = <T>(set: ReadonlySet<T>): T | undefined => set.values().next().value;

function put<T>(set: Set<T>, value: T, isIn: boolean): void {
  if (isIn) set.add(value);
  else set.delete(value);
}
