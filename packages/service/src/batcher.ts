/**
 * Joins questions that come while others are answered: the first is asked at once, those that come meanwhile are asked
 * together as soon as it is answered. So nobody waits while nothing runs, and the busier it is, the larger the batches.
 */
export class Batcher<Question, Answer> {
  readonly #run: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  readonly #mostAtOnce: number;
  readonly #waiting: Waiting<Question, Answer>[] = [];
  #isRunning = false;

  /** `run` answers in the order of the questions, of which there are at most `mostAtOnce`. */
  constructor(
    run: (questions: readonly Question[]) => Promise<readonly Answer[]>,
    { mostAtOnce }: { mostAtOnce: number },
  ) {
    this.#run = run;
    this.#mostAtOnce = mostAtOnce;
  }

  /** @throws what `run` throws for the batch of the question. */
  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      if (!this.#isRunning) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#mostAtOnce);
      try {
        const answers = await this.#run(batch.map(({ question }) => question));
        for (const [index, { resolve, reject }] of batch.entries()) {
          if (index < answers.length) resolve(answers[index] as Answer);
          else reject(new Error(`A batch of ${batch.length} questions has ${answers.length} answers`));
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isRunning = false;
  }
}

interface Waiting<Question, Answer> {
  question: Question;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}
