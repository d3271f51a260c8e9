// Every page of the console. A page with `nav` is in the navigation of a project, in this order.
// README.md says how to add one.
import { Access } from "./pages/access.jsx";
import { Connector } from "./pages/connector.jsx";
import { EditConnector, NewConnector } from "./pages/connector_form.jsx";
import { Connectors } from "./pages/connectors.jsx";
import { Device } from "./pages/device.jsx";
import { Devices } from "./pages/devices.jsx";
import { Projects } from "./pages/projects.jsx";

export const routes = [
  { path: "/", page: Projects },
  { path: "/projects", page: Projects },
  {
    path: "/projects/:project/connectors",
    page: Connectors,
    nav: { text: "Connectors", icon: "connector" },
  },
  { path: "/projects/:project/connectors/new", page: NewConnector },
  { path: "/projects/:project/connectors/:connector/edit", page: EditConnector },
  { path: "/projects/:project/connectors/:connector", page: Connector },
  { path: "/projects/:project/connectors/:connector/:tab", page: Connector },
  { path: "/projects/:project/devices", page: Devices, nav: { text: "Devices", icon: "devices" } },
  { path: "/projects/:project/devices/:device", page: Device },
  { path: "/projects/:project/access", page: Access, nav: { text: "Access", icon: "people" } },
  { path: "/projects/:project/access/:tab", page: Access },
];
