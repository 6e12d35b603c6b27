import json
d=json.load(open('.build/__local__.json'))['contractTypes']['Tallystick']['deploymentBytecode']['bytecode']
json.dump({"bytecode":{"object":d}},open('.cache/prove/Tallystick.json','w'))
