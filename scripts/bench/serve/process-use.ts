import { readdirSync, readFileSync } from 'node:fs';
import type { Child } from '../../src/processes/start-child.ts';

/** What the processes of one part have used so far. */
export interface Use {
  cpuMs: number;
  rssMiB: number;
}

/** Linux's clock ticks of /proc, which are the same on every architecture. */
const MS_PER_TICK = 10;
const KIB_PER_PAGE = 4;

/** CPU time since their start and memory now, by part; a part's own children (PostgreSQL's backends) count with it. */
export function readUse(processes: ReadonlyMap<string, Pick<Child, 'pid'>>): Map<string, Use> {
  const rows = readProcesses();
  return new Map(
    [...processes].map(([name, { pid }]) => {
      const own = rows.filter((row) => row.pid === pid || row.parent === pid);
      const ended = own.filter((row) => row.pid === pid).map((row) => row.endedMs);
      return [
        name,
        { cpuMs: sum([...own.map((row) => row.cpuMs), ...ended]), rssMiB: sum(own.map((row) => row.rssMiB)) },
      ];
    }),
  );
}

/** CPU time between two readings, in milliseconds; 0 for what ended in between. */
export function cpuBetween(before: Map<string, Use>, after: Map<string, Use>): Record<string, number> {
  return Object.fromEntries(
    [...after].map(([name, use]) => [name, Math.max(0, use.cpuMs - (before.get(name)?.cpuMs ?? 0))]),
  );
}

interface Row extends Use {
  pid: number;
  parent: number;
  /** CPU time of its children that have ended. */
  endedMs: number;
}

function readProcesses(): Row[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The name may hold spaces; what follows its bracket is numbered from the third field on (proc(5)).
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const at = (field: number): number => Number(fields[field - 3]);
      const cpuMs = (at(14) + at(15)) * MS_PER_TICK;
      const endedMs = (at(16) + at(17)) * MS_PER_TICK;
      return [{ pid: Number(pid), parent: at(4), cpuMs, endedMs, rssMiB: (at(24) * KIB_PER_PAGE) / 1024 }];
    } catch {
      return []; // it ended meanwhile
    }
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
