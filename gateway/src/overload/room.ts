/** Where there was no room, others are let in once so much of it is free: those go through each step together, at less cost. */
const FREE_SHARE = 0.7;

/** Whether one more may be under way. */
export class Room {
  readonly #onChange: (isFull: boolean) => void;
  #isFull = false;

  constructor(onChange: (isFull: boolean) => void) {
    this.#onChange = onChange;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** To be called whenever one of the two has changed. */
  update(underWay: number, limit: number): void {
    const wasFull = this.#isFull;
    if (underWay >= limit) this.#isFull = true;
    else if (underWay <= limit * (1 - FREE_SHARE)) this.#isFull = false;
    if (this.#isFull !== wasFull) this.#onChange(this.#isFull);
  }
}
