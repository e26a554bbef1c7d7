/**
 * Places for work, shared fairly: whoever waits is served by turns of groups, and within a group by turns of members, whatever
 * each of them has sent. Pure: no clock, no timer, no promise; a free place is given at once.
 */
export interface FairQueue {
  /** A place at once; else a place in the line, and `granted` is called once, when its turn has come, unless it was cancelled first. */
  enter(group: string, member: string, granted: (place: Place) => void): { readonly place: Place } | { readonly cancel: () => void };
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
  readonly waiting: Set<() => void>;
}
interface Group {
  readonly name: string;
  working: number;
  readonly members: Map<string, Member>;
  /** Members that wait and may have one more, whose turn is first first. */
  readonly ready: Set<Member>;
}

export function createFairQueue(slots: Slots): FairQueue {
  const groups = new Map<string, Group>();
  /** Groups with a ready member that may have one more, whose turn is first first. */
  const ready = new Set<Group>();
  // What a group has overdrawn is its own to bear: it takes nothing from the others' places.
  let taken = 0;

  function find(groupName: string, name: string): Member {
    const group = groups.get(groupName) ?? { name: groupName, working: 0, members: new Map<string, Member>(), ready: new Set<Member>() };
    const member = group.members.get(name) ?? { name, group, working: 0, waiting: new Set<() => void>() };
    groups.set(groupName, group);
    group.members.set(name, member);
    return member;
  }

  /** Brings the turns up to date with what a member and its group now do; whoever does nothing is forgotten. */
  function order(member: Member): void {
    const { group } = member;
    put(group.ready, member, member.waiting.size > 0 && member.working < slots.member);
    put(ready, group, group.ready.size > 0 && group.working < slots.group);
    if (member.working === 0 && member.waiting.size === 0) group.members.delete(member.name);
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
    while (taken < slots.all) {
      const group = first(ready);
      const member = group && first(group.ready);
      const turn = member && first(member.waiting);
      if (!turn) return;
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
      const turn = (): void => {
        member.waiting.delete(turn);
        granted(begin(groupName, name));
      };
      member.waiting.add(turn);
      order(member);
      return {
        cancel() {
          if (member.waiting.delete(turn)) order(member);
        },
      };
    },
    counts() {
      const members = [...groups.values()].flatMap((group) => [...group.members.values()]);
      const sum = (of: (member: Member) => number): number => members.reduce((total, member) => total + of(member), 0);
      return { working: sum(({ working }) => working), waiting: sum(({ waiting }) => waiting.size), groups: groups.size };
    },
  };
}

const first = <T>(set: ReadonlySet<T>): T | undefined => set.values().next().value;

function put<T>(set: Set<T>, value: T, isIn: boolean): void {
  if (isIn) set.add(value);
  else set.delete(value);
}
