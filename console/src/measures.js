// What events measure: numbers with a unit, states with words, or only that something happened.

const number = (type, field, name, unit, digits = 0) => ({ type, field, name, unit, digits });
const state = (type, field, name) => ({ type, field, name, isState: true });

const MEASURES = [
  number("temperature", "value", "Temperature", "°C", 2),
  number("humidity", "relativeHumidity", "Humidity", "%", 1),
  number("humidity", "temperature", "Temperature", "°C", 2),
  number("co2", "ppm", "CO₂", "ppm"),
  number("pressure", "pascal", "Pressure", "Pa"),
  number("objectPresentCount", "total", "Objects", ""),
  number("touchCount", "total", "Touches", ""),
  state("objectPresent", "state", "Object"),
  state("waterPresent", "state", "Water"),
  state("motion", "state", "Motion"),
  state("deskOccupancy", "state", "Desk"),
  state("contact", "state", "Contact"),
  state("probeWireStatus", "state", "Probe"),
  state("touch", "", "Touch"),
  number("batteryStatus", "percentage", "Battery", "%"),
  number("networkStatus", "signalStrength", "Signal", "%"),
  number("cellularStatus", "signalStrength", "Cellular signal", "%"),
  state("connectionStatus", "connection", "Connection"),
  state("ethernetStatus", "ipAddress", "Ethernet address"),
].map((each) => ({ ...each, id: `${each.type}.${each.field}` }));

/** What a device with these last values measures, its own type first. */
export function measuresOf(reported, deviceType) {
  const found = MEASURES.filter(({ type }) => reported?.[type]);
  return [
    ...found.filter(({ type }) => type === deviceType),
    ...found.filter(({ type }) => type !== deviceType),
  ];
}

/** The value in the data of one type of event; undefined when it is not there. */
export const valueIn = (measure, data) => (measure.field ? data?.[measure.field] : "TOUCHED");

/** With a minus as wide as a plus, and not a hyphen. */
export const signed = (text) => text.replace("-", "\u2212");

/** "21.50 °C", "Not present": a value as people read it. */
export function shown(measure, value) {
  if (value === undefined || value === null) return "–";
  if (!measure.isState) {
    const text = Number(value).toLocaleString("en", {
      minimumFractionDigits: measure.digits,
      maximumFractionDigits: measure.digits,
    });
    return signed(measure.unit ? `${text}\u00a0${measure.unit}` : text);
  }
  const text = String(value);
  if (!/^[A-Z_]+$/.test(text)) return text;
  return text[0] + text.slice(1).toLowerCase().replaceAll("_", " ");
}

const TYPES = { co2: "CO₂", ccon: "Cloud Connector" };

/** "Object present", the words in a type of device or event. */
export function typeName(type) {
  const words = TYPES[type] ?? type.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return words && words[0].toUpperCase() + words.slice(1);
}

/** The newest of a device's last values: {measure, data}; undefined before its first event. */
export function newest(reported, deviceType) {
  const [found] = measuresOf(reported, deviceType)
    .map((measure) => ({ measure, data: reported[measure.type] }))
    .sort(
      (one, other) =>
        (other.measure.type === deviceType) - (one.measure.type === deviceType) ||
        Date.parse(other.data.updateTime) - Date.parse(one.data.updateTime),
    );
  return found;
}
