/** A value that has to be unique is in use. */
export class TakenError extends Error {
  override readonly name = 'TakenError';
  readonly field: 'email' | 'slug' | 'name' | 'rotation';

  constructor(field: 'email' | 'slug' | 'name' | 'rotation', value: string) {
    super(`The ${field} "${value}" is taken.`);
    this.field = field;
  }
}
