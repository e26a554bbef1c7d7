import { readdirSync, readFileSync } from 'node:fs';

/** What Linux says of a process and all that it started. Clock ticks are 10 ms there (`getconf CLK_TCK`), pages 4 KiB. */

const tickUs = 10_000;

function statOf(pid: number): { readonly parent: number; readonly ticks: number } | null {
  try {
    // The name stands in brackets and may hold anything; fields are counted after it (proc(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return null;
  }
}

function treeOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : null;
    if (stat) parents.set(Number(name), stat.parent);
  }
  const tree = [pid];
  for (const one of tree) for (const [child, parent] of parents) if (parent === one) tree.push(child);
  return tree;
}

/** User and system time so far, microseconds. */
export const cpuOf = (pid: number): number => treeOf(pid).reduce((sum, one) => sum + (statOf(one)?.ticks ?? 0), 0) * tickUs;

/** Resident memory, MiB. */
export function residentOf(pid: number): number {
  return treeOf(pid).reduce((sum, one) => {
    try {
      return sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, 'latin1'))?.[1] ?? 0) / 1024;
    } catch {
      return sum;
    }
  }, 0);
}
