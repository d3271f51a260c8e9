// What of a browser the modules touch when they are loaded. Import it first.
const events = new EventTarget();
Object.assign(globalThis, {
  location: { origin: "https://console.example", pathname: "/console/projects", search: "" },
  addEventListener: events.addEventListener.bind(events),
  document: events,
});
Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });
delete globalThis.BroadcastChannel; // An open one keeps Node running
