/** Kindred's mark: two people, two things, and what ties them. */
export function BrandMark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <defs>
        <linearGradient id="brand-mark" x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" stopColor="#8b88f0" />
          <stop offset="1" stopColor="#4f4bc9" />
        </linearGradient>
      </defs>
      <rect width="32" height="32" rx="9" fill="url(#brand-mark)" />
      <path
        d="M10.5 10.500v11M10.5 16l11-5.500M10.5 16l11 5.5"
        stroke="#fff"
        strokeOpacity="0.55"
        strokeWidth="2"
        strokeLinecap="round"
        fill="none"
      />
      <circle cx="10.5" cy="10" r="2.6" fill="#fff" />
      <circle cx="10.5" cy="22" r="2.6" fill="#fff" />
      <circle cx="21.8" cy="10.5" r="2.6" fill="#fff" />
      <circle cx="21.8" cy="21.5" r="2.6" fill="#fff" />
    </svg>
  );
}
