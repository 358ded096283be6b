export function findFaissAvx2(): string | null;
export function makeFaissAvx2(): string;
export function sourceStanzas(texts: readonly string[], codename: string): string;
