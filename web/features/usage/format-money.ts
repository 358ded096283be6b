/** An amount as people read it; a small one keeps two digits that say something. */
export function formatMoney({ amount, currency }: { amount: number; currency: string }): string {
  const hundredths = amount * 100;
  const isWhole = Math.abs(hundredths - Math.round(hundredths)) < 1e-9;
  const small = !isWhole && Math.abs(amount) < 1;
  const digits = small ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return new Intl.NumberFormat('en', { style: 'currency', currency, ...digits }).format(amount);
}
