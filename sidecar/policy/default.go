package policy

// DefaultMeters takes the x-meter-id header, a comma-separated list of ids; else
// meter_id of a JSON body; else the meter_id of each element of its list readings;
// else none. A field that is missing or null is passed over.
const DefaultMeters = `request.headers[?"x-meter-id"].orValue("") != ""
  ? dyn(request.headers["x-meter-id"].split(",").map(id, id.trim()))
  : type(request.json) == list
  ? []
  : request.json.?meter_id.orValue(null) != null
  ? request.json.meter_id
  : type(request.json.?readings.orValue(null)) == list
  ? request.json.readings.map(r, r.?meter_id)
  : []`
