import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const PIN_ATTEMPTS = 5;
const GATEWAY_CORE = '0';
const OTHER_CORES = `1-${availableParallelism() - 1}`;
/** Whether processes can be kept to cores here: on Linux, with a core for what is not the gateway. */
export const CAN_PIN = process.platform === 'linux' && availableParallelism() > 1;

/** Keeps a gateway's threads to a core of their own, as it is measured everywhere. */
export function pinGateway(pid: number | undefined): void {
  pin(pid, GATEWAY_CORE);
}

/** Keeps what asks a gateway and what answers it off its core. */
export function pinOther(pid: number | undefined): void {
  pin(pid, OTHER_CORES);
}

function pin(pid: number | undefined, cores: string): void {
  if (!CAN_PIN || pid === undefined) return;
  // It fails where a thread ends while it goes through them.
  for (let attempt = 1; ; attempt++) {
    try {
      execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)], { stdio: 'ignore' });
      return;
    } catch (error) {
      if (attempt === PIN_ATTEMPTS) throw error;
    }
  }
}
