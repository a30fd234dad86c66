import "./page.js";
import "./outbox-bar.js";
import "./offline-form.js";
import "./photo-input.js";
import "./qr-scanner.js";
import "./small.js";
