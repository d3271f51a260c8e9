// Icons: lines on a grid of 16, drawn for this console. They are decoration, words say the same.
const PATHS = {
  alert: "M8 5.2v3.4m0 2.3v.1M8 1.8 14.6 13.4H1.4Z",
  arrow: "M3 8h10m-4-4 4 4-4 4",
  back: "M13 8H3m4-4L3 8l4 4",
  book: "M8 3.6C6.6 2.7 4.6 2.4 2.5 2.6v9.8c2.1-.2 4.1.1 5.5 1 1.4-.9 3.4-1.2 5.5-1V2.6c-2.1-.2-4.1.1-5.5 1Zm0 0v9.8",
  check: "m3 8.5 3.2 3.2L13 4.6",
  chevron: "m4.5 6.2 3.5 3.6 3.5-3.6",
  circle: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Z",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.6",
  code: "m5 4.5-3.4 3.5L5 11.5m6-7L14.4 8 11 11.5",
  connector: "M2 8h4.5m0 0a1.6 1.6 0 1 0 3.2 0 1.6 1.6 0 0 0-3.2 0Zm3 -.8 3.4-3.4m-3.4 5 3.4 3.4M13 2.6h1v1m-1 8.8h1v1",
  copy: "M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8Z",
  cross: "m4 4 8 8m0-8-8 8",
  devices: "M3 2.5h10v7H3Zm2.5 11h5M8 9.5v4",
  dots: "M3 7.7h.6v.6H3Zm4.700 0h.6v.6h-.6Zm4.700 0h.6v.6h-.6Z",
  download: "M8 2v8m-3.2-3L8 10.2 11.2 7M2.5 13.5h11",
  edit: "M10.8 2.7 13.3 5.2 5.6 12.9l-3.1.6.6-3.1Z",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8ZM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6Z",
  hidden: "M2 2l12 12M6.4 3.7A7 7 0 0 1 8 3.5c4 0 6.5 4.5 6.5 4.5a12 12 0 0 1-1.9 2.3M4 4.9A11.500 11.500 0 0 0 1.500 8S4 12.500 8 12.500c1 0 1.900-.3 2.700-.7",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Zm0-6.500v3.500m0-5.800v.1",
  key: "M9.600 9.200a3.600 3.600 0 1 0-2.800-2.800L2 11.200V14h2.800v-1.600h1.600v-1.600H8Zm1.600-4.400h.1",
  menu: "M2.500 4.500h11m-11 3.500h11m-11 3.500h11",
  moon: "M13.500 9.600A5.800 5.800 0 0 1 6.400 2.500a5.800 5.800 0 1 0 7.100 7.100Z",
  out: "M6 2.500H3v11h3m4-2.500 3-3-3-3m3 3H6",
  pause: "M5.500 3.500v9m5-9v9",
  people: "M6 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5Zm-4.500 6c0-2.500 2-4 4.500-4s4.500 1.500 4.500 4m0-11a2.500 2.500 0 0 1 0 5m4 6c0-2.200-1.200-3.500-3-3.900",
  play: "M5 3v10l8-5Z",
  plus: "M8 3v10M3 8h10",
  question: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.300 6.300a1.700 1.700 0 1 1 2.500 1.600c-.5.300-.8.600-.8 1.200m0 1.900v.1",
  replay: "M2.500 8a5.500 5.500 0 1 0 1.800-4.100L2.500 5.500m0-3v3h3",
  search: "M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9Zm3.300-1.200 3.200 3.200",
  send: "M14 2 1.800 6.600l4.900 2.200L8.900 14 14 2ZM6.700 8.800 14 2",
  shield: "M8 1.800 13 3.600v4c0 3.300-2.100 5.600-5 6.600-2.900-1-5-3.300-5-6.600v-4Z",
  sun: "M8 10.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600ZM8 1.500v1.200m0 10.600v1.200M1.500 8h1.200m10.600 0h1.200M3.400 3.400l.8.800m7.600 7.600.8.800m0-9.200-.8.800m-7.600 7.600-.8.800",
  system: "M2 3h12v8H2Zm4 10.500h4M8 11v2.500",
  trash: "M2.500 4h11M6.500 4V2.500h3V4M4 4l.6 9.500h6.800L12 4M6.700 6.500v4.500m2.600-4.500v4.500",
};

export function Icon({ name, size = 16 }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" aria-hidden="true">
      <path
        d={PATHS[name]}
        stroke="currentColor"
        stroke-width="1.5"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

export const Mark = () => (
  <svg viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="#4b49d6" />
    <path
      d="M8 16h7m0 0 8-6m-8 6 8 6m-8-6h8"
      fill="none"
      stroke="#fff"
      stroke-width="2.2"
      stroke-linecap="round"
    />
    <circle cx="8.5" cy="16" r="2.6" fill="#fff" />
    <circle cx="24" cy="9.6" r="2.2" fill="#9be7c0" />
    <circle cx="24" cy="16" r="2.2" fill="#fff" />
    <circle cx="24" cy="22.4" r="2.2" fill="#fff" />
  </svg>
);
