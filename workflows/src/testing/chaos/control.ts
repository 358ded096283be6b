import type { Ending } from './invariants.ts';
import type { ProberFigures } from './prober.ts';

export type ServerName = 'postgres' | 'redis' | 'temporal';

/** What `npm run chaos` is told of a round. */
export interface RoundReport {
  fault: string;
  round: number;
  violations: string[];
  ending: Ending;
  durationMs: number;
  repeatedEpochs: number;
  recommendations: ProberFigures;
  events: { received: number; resumed: number };
}

/** The process that holds the servers: they outlive the rounds, and it ends and starts them when it is told to. */
export class Control {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** `kill` lets nothing of the server do anything more, `stop` ends it in good order. */
  async order(server: ServerName, order: 'kill' | 'stop' | 'start'): Promise<void> {
    await this.#post(`/servers/${server}/${order}`);
  }

  async report(report: RoundReport): Promise<void> {
    await this.#post('/rounds', report);
  }

  async #post(path: string, body: object = {}): Promise<void> {
    const signal = AbortSignal.timeout(90_000);
    const response = await fetch(`${this.#url}${path}`, { method: 'POST', body: JSON.stringify(body), signal });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  }
}
